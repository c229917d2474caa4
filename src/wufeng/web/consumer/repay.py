"""stub"""

PAGES = ()
