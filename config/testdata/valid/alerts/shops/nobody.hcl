shop "nobody" {
  kros {
    api_key = env("ACME_KROS_TOKEN")
  }
  fynode {
    url     = "https://nobody.example.com"
    api_key = "key"
  }
  alert {}
}
