secrets {
  master_key = "hunter2!"
}
