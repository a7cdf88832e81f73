shop "default" {
  kros {
    api_key = env("ACME_KROS_TOKEN")
  }
  fynode {
    url     = "https://default.example.com"
    api_key = "key"
  }

}
