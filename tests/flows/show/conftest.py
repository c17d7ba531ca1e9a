from tests.flows.report.conftest import browser, opens

__all__ = ["browser", "opens"]
