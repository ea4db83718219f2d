from celery import shared_task
from django.utils import timezone

from orgs import account_mail, invites, postman, sign_in_remains


@shared_task(name=account_mail.TASK)
def send_account_mail():
    postman.send_due(clock=timezone.now)


@shared_task(name="happening.tidy_account_mail")
def tidy_account_mail():
    account_mail.tidy(now=timezone.now())


@shared_task(name="happening.expire_invites")
def expire_invites():
    invites.expire(now=timezone.now())


@shared_task(name="happening.clear_sign_in")
def clear_sign_in():
    sign_in_remains.clear(now=timezone.now())
