"""Every address of the site."""

from django.urls import include, path

urlpatterns = [
    path("", include("lipweb.pages.urls")),
    path("", include("consent.urls")),
    path("", include("synthesis.urls")),
]
