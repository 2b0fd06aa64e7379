"""Handing a message to the institution's mail server, over TLS or not at all."""

from __future__ import annotations

import re
import smtplib
import ssl
from email.message import EmailMessage

from data.settings import Settings

PATIENCE = 30.0  # seconds for each answer of the server
ADDRESS = re.compile(r"[^@\s<>,;:\"()\[\]\\]{1,64}@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+")
LONGEST_ADDRESS = 254


class MailProblem(Exception):
    """A message was not sent.

    Parameters
    ----------
    code : str
        "unreachable", "tls", "sign_in" or "refused": the wording file says ``job_problem.mail_<code>``.
    """

    def __init__(self, code: str):
        super().__init__(code)
        self.code = code


def is_set_up(settings: Settings) -> bool:
    """Whether the settings name a server, a sender, and where the link of a message leads."""
    return bool(settings.smtp_host and settings.smtp_from and settings.address)


def is_address(text: str) -> bool:
    """Whether a text is one mail address and nothing else."""
    return len(text) <= LONGEST_ADDRESS and ADDRESS.fullmatch(text) is not None


def send(settings: Settings, to: str, subject: str, text: str) -> None:
    """Send a plain text to one address.

    Raises
    ------
    MailProblem
        When the server cannot be reached, speaks no TLS or has another certificate, refuses the account, or
        refuses the message.
    """
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = settings.smtp_from, to, subject
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(text)
    try:
        with _connected(settings) as server:
            if settings.smtp_user:
                server.login(settings.smtp_user, settings.smtp_password.get_secret_value())
            server.send_message(message)
    except (smtplib.SMTPNotSupportedError, ssl.SSLError):
        raise MailProblem("tls") from None
    except smtplib.SMTPAuthenticationError:
        raise MailProblem("sign_in") from None
    except (smtplib.SMTPConnectError, smtplib.SMTPServerDisconnected, smtplib.SMTPHeloError):
        raise MailProblem("unreachable") from None
    except smtplib.SMTPException:
        raise MailProblem("refused") from None
    except OSError:
        raise MailProblem("unreachable") from None


def _connected(settings: Settings) -> smtplib.SMTP:
    context = ssl.create_default_context(cafile=settings.smtp_ca or None)
    where = (settings.smtp_host, settings.smtp_port)
    if settings.smtp_security == "tls":
        return smtplib.SMTP_SSL(*where, timeout=PATIENCE, context=context)
    server = smtplib.SMTP(*where, timeout=PATIENCE)
    try:
        server.starttls(context=context)
    except BaseException:
        server.close()
        raise
    return server
