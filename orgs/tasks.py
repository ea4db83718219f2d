from celery import shared_task
from django.utils import timezone

from orgs import account_mail, invites
from orgs.models import SpentToken
from orgs.postman import Postman
from orgs.sessions import SessionStore


@shared_task(name=account_mail.TASK)
def send_account_mail():
    with Postman() as postman:
        while postman.send_next(now=timezone.now()):
            continue


@shared_task(name="happening.tidy_account_mail")
def tidy_account_mail():
    account_mail.tidy(now=timezone.now())


@shared_task(name="happening.expire_invites")
def expire_invites():
    invites.expire(now=timezone.now())


@shared_task(name="happening.clear_sign_in")
def clear_sign_in():
    """Forget sessions that have run out, and tokens that are too old to be used again."""
    SessionStore.clear_expired()
    SpentToken.objects.forget_expired(now=timezone.now())
