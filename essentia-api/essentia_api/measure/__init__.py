"""What is heard in the samples. Nothing here knows of files, processes or HTTP.

Essentia's log is silenced here, before any module loads its algorithms: their load alone prints a line.
"""

import essentia

essentia.log.infoActive = False
essentia.log.warningActive = False
