shop "acme" {
  kros {
    api_key             = env("ACME_KROS_TOKEN")
    url                 = "api-economy.kros.sk"
    warehouses          = ["LT", " LT"]
    requests_per_second = 0
    requests_per_minute = 1.5
  }
  fynode {
    url     = "http://acme.example.com"
    api_key = env("ACME_KROS_TOKEN")
  }
  match         = "name"
  quantity      = max
  schedule      = "*/30 * * * * *"
  timezone      = "Europe/Bratislawa"
  title         = "two\nlines"
  buffer        = -1
  decimals      = 5
  unit_decimals = { kg = 3.5 }
  sold_hold     = "1 day"
  missing       = true
  only_eshop_items = "maybe"
  webhook {
    min_gap     = "-5s"
    key_version = 0
    also_accept = [1, 1]
  }
  guard {
    max_zeroed    = 0.3
    max_changed   = "120%"
    min_items     = "many"
    min_catalogue = "half"
  }
}
