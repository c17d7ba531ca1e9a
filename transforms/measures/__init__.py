"""Quality-improvement measures: counted, charted, small numbers hidden."""
