shop "key" {
  kros {
    api_key = env("ACME_KROS_TOKEN")
  }
  fynode {
    url     = "https://key.example.com"
    api_key = "key"
  }
  items = "/run/secrets/acme_fynode"
}
