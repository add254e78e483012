# A machine of this one, in QEMU. Debian's cloud kernel has no AHCI: with q35 it would not see the seed.

source "qemu" "golden" {
  vm_name          = "${var.image_name}.qcow2"
  output_directory = var.output_directory

  iso_url          = var.base_image
  iso_checksum     = var.base_checksum
  disk_image       = true
  use_backing_file = true
  format           = "qcow2"
  disk_size        = "${var.disk_gb}G"
  disk_compression = true
  qemu_img_args {
    create  = ["-F", "qcow2"] # QEMU 6.1 and newer want it; Packer 1.6.6 leaves it out
    convert = ["-o", "compression_type=zstd"]
  }

  accelerator        = var.accelerator
  machine_type       = "pc"
  memory             = var.memory_mb
  cpus               = var.cpus
  headless           = true
  disable_vnc        = true
  net_device         = "virtio-net"
  disk_interface     = "virtio"
  disk_cache         = "unsafe"
  disk_discard       = "unmap"
  disk_detect_zeroes = "unmap"
  boot_wait          = "1s"
  qemuargs = [
    ["-cpu", "max"],
    ["-netdev", "user,id=user.0,hostfwd=tcp:127.0.0.1:{{ .SSHHostPort }}-:22"], # else on all interfaces
    ["-serial", "file:${var.console_file}"],
    ["-device", "virtio-net,netdev=user.0"],
    ["-device", "virtio-rng-pci"]
  ]

  cd_files = [var.user_data_file, var.meta_data_file]
  cd_label = "cidata"

  communicator           = "ssh"
  ssh_username           = var.ssh_username
  ssh_private_key_file   = var.ssh_private_key_file
  ssh_timeout            = "20m" # without KVM, on a machine with other work
  ssh_handshake_attempts = 100

  shutdown_command = "sudo sh -c '${var.power_off_command} >/dev/console 2>&1'"
  shutdown_timeout = "1h" # it fills the disk once, as large as that is
}
