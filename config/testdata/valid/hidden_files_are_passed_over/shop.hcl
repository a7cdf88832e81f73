shop "a" {
  kros { api_key = env("ACME_KROS_TOKEN") }
  fynode {
    url     = "https://a.example.com"
    api_key = env("ACME_KROS_TOKEN")
  }
}
