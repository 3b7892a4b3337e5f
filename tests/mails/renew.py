"""`make approve`: pictures of every mail that is compared. Look at each before you commit it."""

import shutil

from tests.mails.approved import APPROVED, approve
from tests.mails.browser import look_at
from tests.mails.post import every_mail

if __name__ == "__main__":
    looks = look_at({mail.key: mail.arrived.html for mail in every_mail()})
    shutil.rmtree(APPROVED, ignore_errors=True)
    for key, look in looks.items():
        approve(key, look)
