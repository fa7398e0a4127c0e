// Preloaded into a program, makes one of its system calls fail, or all from there on, for files below a folder.
//
// The kernel traps each such call before it is made (seccomp), so libraries that call it themselves, without libc, are reached too.
//
//   FAULT_DIR    the folder, as an absolute path
//   FAULT_ERROR  the error's number, or `short`: half of what was asked is read or written
//   FAULT_AT     the first call, counted from 1, that may fail; it is the next one that can fail in this way
//   FAULT_ALWAYS every later one fails too; where it is EINTR every second one, as a call is not interrupted for ever
//   FAULT_LOG    a file that gets a line for each call: what kind it is, ` HIT` where it failed, and the file

#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>

// A call with this sixth argument, which none of ours has, is let through.
#define PASS 0x67726565L

enum kind { OPEN, READ, WRITE, SYNC, TRUNCATE, RENAME, REMOVE, FOLDER, LOCK, LOOK };
static const char *const NAMES[] = {"open", "read", "write", "sync", "truncate", "rename", "remove", "folder", "lock", "look"};

// Which argument is the path (relative to the folder before it, or to none: -1) or the open file.
struct call { int number; enum kind kind; int folder, path, file; };
static const struct call CALLS[] = {
    {SYS_openat, OPEN, 0, 1, -1}, {SYS_read, READ, -1, -1, 0}, {SYS_pread64, READ, -1, -1, 0}, {SYS_readv, READ, -1, -1, 0},
    {SYS_getdents64, READ, -1, -1, 0}, {SYS_write, WRITE, -1, -1, 0}, {SYS_pwrite64, WRITE, -1, -1, 0}, {SYS_writev, WRITE, -1, -1, 0},
    {SYS_fsync, SYNC, -1, -1, 0}, {SYS_fdatasync, SYNC, -1, -1, 0}, {SYS_syncfs, SYNC, -1, -1, 0}, {SYS_sync_file_range, SYNC, -1, -1, 0},
    {SYS_ftruncate, TRUNCATE, -1, -1, 0}, {SYS_renameat, RENAME, 2, 3, -1}, {SYS_renameat2, RENAME, 2, 3, -1},
    {SYS_unlinkat, REMOVE, 0, 1, -1}, {SYS_mkdirat, FOLDER, 0, 1, -1}, {SYS_flock, LOCK, -1, -1, 0},
    {SYS_statx, LOOK, 0, 1, -1}, {SYS_newfstatat, LOOK, 0, 1, -1}, {SYS_statfs, LOOK, -1, 0, -1}, {SYS_fstatfs, LOOK, -1, -1, 0},
#ifdef __x86_64__
    {SYS_open, OPEN, -1, 0, -1}, {SYS_rename, RENAME, -1, 1, -1}, {SYS_unlink, REMOVE, -1, 0, -1}, {SYS_rmdir, REMOVE, -1, 0, -1},
    {SYS_mkdir, FOLDER, -1, 0, -1}, {SYS_stat, LOOK, -1, 0, -1}, {SYS_lstat, LOOK, -1, 0, -1},
#endif
};
enum { COUNT = sizeof CALLS / sizeof *CALLS };

static const char *folder;
static size_t folder_length;
static int error, is_short, always, log_file = -1;
static long first;
static atomic_long calls, hits, interrupted;

static long pass(long number, long a, long b, long c, long d, long e) { return syscall(number, a, b, c, d, e, PASS); }

// The name of an open file, or of the folder that the process is in.
static long name_of(int file, char *into, size_t room) {
    char link[40] = "/proc/self/cwd", figures[12];
    if (file != AT_FDCWD) {
        int n = 0;
        strcpy(link, "/proc/self/fd/");
        for (unsigned rest = file; n == 0 || rest; rest /= 10) figures[n++] = '0' + rest % 10;
        for (char *end = link + strlen(link); n; *end++ = figures[--n], *end = 0) {}
    }
    long length = pass(SYS_readlinkat, AT_FDCWD, (long)link, (long)into, room - 1, 0);
    into[length < 0 ? 0 : length] = 0;
    return length;
}

// The absolute path of what a call is about; 0 where there is none.
static int path_of(const struct call *call, const long *arguments, char *into, size_t room) {
    if (call->file >= 0) return name_of(arguments[call->file], into, room) > 0;
    const char *path = (const char *)arguments[call->path];
    if (!path) return 0;
    long used = 0;
    if (path[0] != '/') {
        int beside = call->folder < 0 ? AT_FDCWD : (int)arguments[call->folder];
        if ((used = name_of(beside, into, room)) <= 0) return 0;
        if (path[0]) into[used++] = '/';
    }
    if (used + strlen(path) >= room) return 0;
    strcpy(into + used, path);
    return 1;
}

// Whether the error can happen to such a call.
static int can_fail(const struct call *call, const long *arguments) {
    enum kind kind = call->kind;
    int flags = kind == OPEN ? (int)arguments[call->path + 1] : 0;
    if (is_short) return (kind == READ && call->number != SYS_getdents64) || kind == WRITE;
    switch (error) {
    case ENOSPC: return kind == WRITE || kind == SYNC || kind == RENAME || kind == FOLDER || (kind == OPEN && flags & O_CREAT);
    case EROFS: return kind == WRITE || kind == TRUNCATE || kind == RENAME || kind == REMOVE || kind == FOLDER || (kind == OPEN && flags & (O_CREAT | O_WRONLY | O_RDWR));
    case EINTR: return kind == OPEN || kind == READ || kind == WRITE || kind == LOCK || kind == TRUNCATE;
    default: return 1;
    }
}

static int fails(const struct call *call, const long *arguments) {
    if (atomic_fetch_add(&calls, 1) + 1 < first || !first || !can_fail(call, arguments)) return 0;
    if (!always) return atomic_fetch_add(&hits, 1) == 0;
    return error != EINTR || atomic_fetch_add(&interrupted, 1) % 2 == 0;
}

static void note(const struct call *call, const char *path, int hit) {
    char line[600];
    if (log_file < 0) return;
    strcpy(line, NAMES[call->kind]);
    strcat(line, hit ? " HIT " : " ");
    strncat(line, path + folder_length, 500);
    strcat(line, "\n");
    pass(SYS_write, log_file, (long)line, strlen(line), 0, 0);
}

#ifdef __x86_64__
static const int REGISTERS[] = {REG_RDI, REG_RSI, REG_RDX, REG_R10, REG_R8};
#define REGISTER(context, at) ((context)->uc_mcontext.gregs[REGISTERS[at]])
#define RESULT(context) ((context)->uc_mcontext.gregs[REG_RAX])
#else
#define REGISTER(context, at) ((context)->uc_mcontext.regs[at])
#define RESULT(context) ((context)->uc_mcontext.regs[0])
#endif

static void trapped(int signal, siginfo_t *info, void *context_) {
    (void)signal;
    ucontext_t *context = context_;
    int before = errno;
    long a[5], number = info->si_syscall;
    char path[4200];
    const struct call *call = CALLS;
    for (int at = 0; at < 5; at++) a[at] = REGISTER(context, at);
    while (call->number != number) call++;
    int hit = 0;
    if (path_of(call, a, path, sizeof path) && !strncmp(path, folder, folder_length)) {
        hit = fails(call, a);
        note(call, path, hit);
        if (hit && is_short && a[2] > 1) a[2] /= 2;
    }
    long result = hit && !is_short ? -error : pass(number, a[0], a[1], a[2], a[3], a[4]);
    RESULT(context) = result == -1 ? -errno : result;
    errno = before;
}

__attribute__((constructor)) static void begin(void) {
    const char *wanted = getenv("FAULT_ERROR"), *at = getenv("FAULT_AT"), *log = getenv("FAULT_LOG");
    folder = getenv("FAULT_DIR");
    if (!folder) return;
    folder_length = strlen(folder);
    is_short = wanted && !strcmp(wanted, "short");
    error = wanted && !is_short ? atoi(wanted) : EIO;
    first = at ? atol(at) : 0;
    always = getenv("FAULT_ALWAYS") != NULL;
    if (log) log_file = open(log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    struct sigaction action = {.sa_sigaction = trapped, .sa_flags = SA_SIGINFO | SA_NODEFER | SA_RESTART};
    sigaction(SIGSYS, &action, NULL);
    struct sock_filter filter[COUNT + 5];
    int n = 0;
    filter[n++] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args[5]));
    filter[n++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, PASS, COUNT + 1, 0);
    filter[n++] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr));
    for (int call = 0; call < COUNT; call++)
        filter[n++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, CALLS[call].number, COUNT - call, 0);
    filter[n++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
    filter[n++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_TRAP);
    struct sock_fprog program = {.len = n, .filter = filter};
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) || prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program)) abort();
}
