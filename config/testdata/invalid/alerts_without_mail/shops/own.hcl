shop "own" {
  kros {
    api_key = env("ACME_KROS_TOKEN")
  }
  fynode {
    url     = "https://own.example.com"
    api_key = "key"
  }
  alert {
    email = ["own@example.com"]
  }
}
