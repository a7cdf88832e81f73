shop "b" {
  kros { api_key = env("ACME_KROS_TOKEN") }
  fynode {
    url     = "https://${env("B_HOST")}/api"
    api_key = env("ACME_KROS_TOKEN")
  }
  title      = null
  match      = null
  webhook {}
  guard {}
}
relay {}
secrets { master_key = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8" }
shop "a" {
  kros {
    api_key    = env("ACME_KROS_TOKEN")
    warehouses = []
  }
  fynode {
    url     = "http://[::1]:8082/v1"
    api_key = env("ACME_KROS_TOKEN")
  }
}
