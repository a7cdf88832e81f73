snapshots {
  url = "file:///var/lib/skladom"
}
