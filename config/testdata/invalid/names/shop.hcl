shop "acme" {
  kros {
    api_key    = env("ACME_KROS_TOKEN")
    waerhouses = ["LT"]
    colour     = "red"
  }
  fynode {
    url     = "https://acme.example.com"
    api_key = env("ACME_KROS_TOKEN")
  }
  shedule = "* * * * *"
  guard   = {}
  title {
  }
  gaurd {
  }
  items = "acme-items.csv"
  alert "mail" {
    to = "x@example.com"
  }
  mail {
  }
}
schedule = "* * * * *"
shopp "beta" {
}
temporal {
  task_queue = "skladom"
}
