"""Downloads files that ION keeps, when they are asked for: links are requested one at a time and never stored.

    report = fetch(settings, files, folder, progress)

`names` makes a file name from ION's text, `folder` keeps what has arrived, `fetching` asks ION and the file host.
"""

from ion_pipeline.pipeline.attachments.fetching import FetchReport, FileProgress, FileResult, fetch
from ion_pipeline.pipeline.attachments.folder import Folder

__all__ = ["FetchReport", "FileProgress", "FileResult", "Folder", "fetch"]
