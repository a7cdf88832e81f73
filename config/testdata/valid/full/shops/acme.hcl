shop "acme" {
  kros {
    api_key             = env("ACME_KROS_TOKEN")
    url                 = "http://127.0.0.1:8081"
    warehouses          = [" LT ", "PR"]
    requests_per_second = 5
    requests_per_minute = 100
  }
  fynode {
    url     = "https://acme.example.com/api/v1/"
    api_key = file("/run/secrets/acme_fynode")
  }
  match         = "ean"
  quantity      = "sum"
  schedule      = "@every 45m"
  timezone      = "UTC"
  title         = "Ácme s.r.o."
  buffer        = 0.1
  decimals      = 2
  unit_decimals = { kg = 3, m = 2, "m²" = 1 }
  sold_hold     = "0s"
  missing       = "zero"
  only_eshop_items = true
  webhook {
    min_gap     = "1m"
    key_version = 2
    also_accept = [1]
  }
  guard {
    max_zeroed    = "12.5%"
    max_changed   = "100%"
    min_items     = 20
    min_catalogue = "0%"
  }
}
