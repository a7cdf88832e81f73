shop "bad" {
  kros {
    api_key = "hunter2
  }
