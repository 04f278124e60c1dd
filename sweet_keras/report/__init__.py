"""Figures and the HTML report of a run, made from what lies in its directory."""

from sweet_keras.report.write_report import write_report

__all__ = ["write_report"]
