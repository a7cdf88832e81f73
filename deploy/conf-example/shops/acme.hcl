# One shop. The label is its name for ever: small letters, digits and hyphens.
# A saved change counts from the next pass on; a mistake leaves the last good
# version in force.
shop "acme" {
  title = "Acme s.r.o." # for people; default: the label

  kros {
    # The token: KROS, Nastavenia, API prepojenia, name "Fynode", URL and key
    # still empty, Vygenerovať token. It is shown once.
    # env("NAME"), file("path") or the token itself in quotes.
    api_key = env("ACME_KROS_TOKEN")

    # warehouses        = ["LT", "PR"] # codes as in KROS; default: all
    # url                 = "https://api-economy.kros.sk"
    # requests_per_second = 10         # what KROS grants
    # requests_per_minute = 300
  }

  fynode {
    url     = "https://acme.example.com/api/v1"
    api_key = file("/run/secrets/acme_fynode") # or relative to this configuration's directory
  }

  match    = "number" # by product number, or "ean"
  quantity = "max"    # the largest single warehouse, or "sum"

  # Everything below shows the defaults.

  schedule = "*/30 * * * *" # cron, moved by an offset of the shop's own; or "@every 30m"
  timezone = "Europe/Bratislava"

  buffer           = 0  # pieces never offered
  decimals         = 0  # decimal places of quantities, rounded down
  unit_decimals    = {} # by measure unit: { kg = 3, m = 2 }
  sold_hold        = "24h"  # how long an order of the shop counts that KROS has not booked; "0s": KROS always wins
  missing          = "keep" # items KROS does not show any more; or "zero"
  only_eshop_items = false  # only items marked for the e-shop in KROS

  # Pairs, packs, buffers and ignored items: item;product;buffer;pack;ignore
  # items = "acme-items.csv" # beside this file

  # Instead of the installation's block; an empty one tells nobody.
  # alert {
  #   email       = ["owner@acme.example.com"]
  #   quiet_after = "72h" # without any change in KROS; default: never
  # }

  webhook {
    min_gap     = "30s" # notifications closer than this become one pass
    key_version = 1     # raise it for a new authorization key
    also_accept = []    # and keep the earlier one here until KROS has the new
  }

  # A plan beyond these waits for approval. "100%" switches a threshold off,
  # min_catalogue = "0%" likewise.
  guard {
    max_zeroed    = "30%" # products going to 0 within a day ...
    min_items     = 5     # ... if they are at least so many
    max_changed   = "80%" # products changing by more than half
    min_catalogue = "50%" # items of the last catalogue that must be there again
  }
}
