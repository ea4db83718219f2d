"""Why a sign-in did not happen. Each has a sentence for the person and a word for the log."""

from django.utils.translation import gettext_lazy as _


class SignInRefused(Exception):
    """`says` is for the person, `word` for the log. Arguments are our own words, never a token's."""

    says = _("Single sign-on did not work this time. Please try again, or sign in with your email address.")
    word = "refused"
    status = 403

    @property
    def for_the_log(self) -> str:
        cause = [type(self.__cause__).__name__] if self.__cause__ else []
        details = [*map(str, self.args), *cause]
        return f"{self.word} ({', '.join(details)})" if details else self.word


class ProviderAway(SignInRefused):
    """The provider does not answer, or answers nonsense."""

    says = _("Single sign-on does not answer right now. Try again in a minute, or sign in with your email.")
    word = "provider away"
    status = 503


class CodeRefused(SignInRefused):
    """The provider does not take the code: used, too old, or not ours."""

    word = "code refused"


class TokenRefused(SignInRefused):
    """A token is not what it must be."""

    word = "token refused"


class FlowUnknown(SignInRefused):
    """Nobody here began this sign-in, or it is over."""

    says = _("This sign-in was begun in another browser or too long ago. Please begin again.")
    word = "unknown state"
    status = 400


class TurnedBack(SignInRefused):
    """The provider sent the person back without signing them in."""

    says = _("You were not signed in. You can try again, or sign in with your email address.")
    word = "turned back"


class AddressUnproven(SignInRefused):
    says = _("Your email address is not confirmed at your organization's sign-in. Confirm it there first.")
    word = "address not verified"


class AddressTaken(SignInRefused):
    says = _(
        "There is an account with your email address already. Sign in to it with your email address; then "
        "you can connect single sign-on on your account's page."
    )
    word = "address taken"
    status = 409


class AccountClosed(SignInRefused):
    says = _("This account has been suspended, so nobody can sign in with it.")
    word = "account not active"


class IdentityTaken(SignInRefused):
    says = _("That single sign-on belongs to another account here. Nothing has changed.")
    word = "identity taken"
    status = 409


class NotFresh(SignInRefused):
    says = _("Please sign in once more, so that we know it is you.")
    word = "not signed in afresh"
