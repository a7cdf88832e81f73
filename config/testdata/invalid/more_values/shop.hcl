shop "acme" {
  kros {
    api_key    = env("ACME_KROS_TOKEN")
    url        = "https://user:hunter2@api-economy.kros.sk"
    warehouses = "LT"
  }
  fynode {
    url     = "https://acme.example.com/api?key=hunter2"
    api_key = env("ACME_KROS_TOKEN")
  }
  schedule      = "@every 10s"
  timezone      = "Local"
  buffer        = 0.12345678
  unit_decimals = [3]
  title         = upper("x")
  sold_hold     = 24
  webhook {
    also_accept = ["old"]
  }
}
shop "beta" {
  kros {
    api_key    = env("ACME_KROS_TOKEN")
    warehouses = ["LT", ""]
  }
  fynode {
    url     = "https://beta.example.com:99999"
    api_key = env("ACME_KROS_TOKEN")
  }
  schedule = "0 0 30 2 *"
  buffer   = 1e999999
  unit_decimals = { "kg" = 1, " kg" = 2 }
  title    = env("NOT_SET")
  match    = file("/etc/match")
}
shop "gamma" {
  kros {
    api_key    = env("ACME_KROS_TOKEN")
    warehouses = [1]
  }
  fynode {
    url     = ""
    api_key = env("ACME_KROS_TOKEN")
  }
  schedule = "CRON_TZ=UTC 0 * * * *"
  timezone = ""
  buffer   = "lots"
}
shop "delta" {
  kros { api_key = env("ACME_KROS_TOKEN") }
  fynode {
    url     = null
    api_key = env("ACME_KROS_TOKEN")
  }
}
shop "epsilon" {
  kros { api_key = env("ACME_KROS_TOKEN") }
  fynode {
    url     = "https://epsilon.example.com"
    api_key = env("ACME_KROS_TOKEN")
  }
  schedule = "every day"
}
