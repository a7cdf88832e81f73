secrets {
  master_key = "aHVudGVyMg=="
}
