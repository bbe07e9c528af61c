# ---
# attack: tries to be root, to mount, to make namespaces and devices, to leave its root folder, to load a module
# kind: extra cell
# honest: [ex1, ex2, ex3, ex4]
# gets: {ex1-test: 2, ex2-test: 2, ex3-test: 2, ex4-test: 2, ex4-test-close: 4}
# student sees: ""
# ---
# %% before ex1
import ctypes
import os

libc = ctypes.CDLL(None, use_errno=True)
attempts = {
    "setuid": lambda: libc.setuid(0),
    "setns": lambda: libc.setns(os.open("/proc/1/ns/mnt", os.O_RDONLY), 0),
    "user namespace": lambda: libc.unshare(0x10000000),
    "mount namespace": lambda: libc.unshare(0x00020000),
    "mount": lambda: libc.mount(b"proc", b"/tmp", b"proc", 0, None),
    "bind": lambda: libc.mount(b"/", b"/tmp", None, 4096, None),
    "remount": lambda: libc.mount(None, b"/", None, 32, None),
    "umount": lambda: libc.umount2(b"/tmp", 2),
    "chroot": lambda: libc.chroot(b"."),
    "mknod": lambda: libc.mknod(b"/tmp/disk", 0o60666, 0x0800),
    "module": lambda: libc.syscall(175, None, 0, None),
    "keys": lambda: libc.syscall(248, b"user", b"@token@", b"x", 1, -4),
    "uring": lambda: libc.syscall(425, 8, None),
    "bpf": lambda: libc.syscall(321, 0, None, 0),
    "reboot": lambda: libc.syscall(169, 0, 0, 0, None),
    "hostname": lambda: libc.sethostname(b"@token@", 4),
    "priority": lambda: os.nice(-10),
}
for name, attempt in attempts.items():
    try:
        print(name, attempt(), ctypes.get_errno(), os.path.exists("@course@"))
    except OSError as error:
        print(name, error)
for number in range(3, 64):
    try:
        os.fchdir(number)
        print("fchdir", number, os.listdir(".."))
    except OSError:
        pass
os.chdir("/")
