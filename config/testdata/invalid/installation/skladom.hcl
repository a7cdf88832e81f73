temporal {
  task_queue = ""
  address    = "localhost:7233"
  namespace  = "default"
}
relay {
  listen          = "8088"
  public_url      = "ftp://sync.example.com"
  trusted_proxies = ["10.0.0.0/8", "proxy"]
}
snapshots {
  url           = "/var/lib/skladom"
  keep          = 0
  keep_receipts = "0s"
}
secrets {
  master_key = hunter2
}
