shop "own" {
  kros {
    api_key = env("ACME_KROS_TOKEN")
  }
  fynode {
    url     = "https://own.example.com"
    api_key = "key"
  }
  alert {
    email         = ["a@example.com", "b+stock@xn--oua.example.com"]
    missed_passes = 5
  }
}
