"""Addresses of the pages that belong to no part."""

from django.contrib.auth.views import LogoutView
from django.urls import path

from lipweb.language import language_choose
from lipweb.pages.health import health
from lipweb.pages.home import home
from lipweb.pages.login import Login
from lipweb.pages.password import PasswordForgotten, PasswordNew, PasswordSent

urlpatterns = [
    path("", home, name="home"),
    path("login/", Login.as_view(), name="login"),
    path("logout/", LogoutView.as_view(), name="logout"),
    path("password/", PasswordForgotten.as_view(), name="password_reset"),
    path("password/sent/", PasswordSent.as_view(), name="password_reset_done"),
    path(
        "password/<uidb64>/<token>/",
        PasswordNew.as_view(),
        name="password_reset_confirm",
    ),
    path("language/", language_choose, name="language"),
    path("health/", health, name="health"),
]
