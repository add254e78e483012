# The kit sets the machine up as it does any host, over SSH, tests it and seals it.

build {
  name    = "runner-host"
  sources = ["source.qemu.golden", "source.amazon-ebs.golden", "source.googlecompute.golden"]

  provisioner "shell-local" {
    inline           = [var.provision]
    environment_vars = ["RUNNERKIT_HOST=${build.User}@${build.Host}:${build.Port}"]
  }

  # In QEMU this is done by the command that powers the machine off; a cloud awaits that it is off.
  provisioner "shell" {
    only              = ["amazon-ebs.golden", "googlecompute.golden"]
    inline            = ["sudo ${var.power_off_command}"]
    expect_disconnect = true
    skip_clean        = true # the user that would clean up is gone
  }

  post-processor "manifest" {
    output     = "${var.output_directory}/packer.json"
    strip_path = true
  }
}
