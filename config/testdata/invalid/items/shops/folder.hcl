shop "folder" {
  kros {
    api_key = env("ACME_KROS_TOKEN")
  }
  fynode {
    url     = "https://folder.example.com"
    api_key = "key"
  }
  items = "folder.csv"
}
