/*
 * How Go's runtime starts, which is when the library is loaded, and what it does to the process.
 *
 * It ends the process where it lacks memory, threads or file descriptors, or does not understand a variable of the
 * environment. Its threads take signals, it interrupts threads by SIGURG, and a thread that meets it for the first time
 * finds signals unblocked. None of that is meant for a library of Python. So before_go, which runs first, looks whether
 * there is enough of everything, and else lets the runtime not start, which is an ImportError; it hides the environment
 * and blocks signals, and after_go puts back what the process had.
 */
#define _GNU_SOURCE
#include "internal.h"
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>
#ifdef __linux__
#include <dlfcn.h>
#include <errno.h>
#include <limits.h>
#include <malloc.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <time.h>
#include <ucontext.h>
#endif

static const char *missing = NULL; /* what there is not enough of; Go does not run then */
static int started = 0;

/* ---- memory, threads and file descriptors ---- */

#ifdef __linux__
/* Go's own heap and tables, of which it reserves most without using it. */
static const size_t RESERVED = (size_t)1536 << 20, WRITABLE = (size_t)128 << 20;
/* of two file descriptors each: Go's epoll, its look at control groups, and what we read at import */
enum { PIPES = 3 };

/* As many as Go comes to have: workers, those of park.Prepare and a few of its own. */
static int thread_count(void) {
	cpu_set_t set;
	int n = sched_getaffinity(0, sizeof set, &set) == 0 ? CPU_COUNT(&set) : (int)sysconf(_SC_NPROCESSORS_ONLN);
	const char *wanted = getenv("MLX_GO_NUM_THREADS");
	int fewer = wanted ? atoi(wanted) : 0;
	if (fewer > 0 && fewer < n) n = fewer;
	return n + (2 * n + 3 < 32 ? 2 * n + 3 : 32) + 4;
}

static int can_map(size_t n, int protection) {
	void *p = mmap(NULL, n, protection, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	return p != MAP_FAILED && munmap(p, n) == 0;
}

static int enough_memory(int threads) {
	size_t stack = (size_t)8 << 20;
	pthread_attr_t standard;
	if (pthread_attr_init(&standard) == 0) {
		pthread_attr_getstacksize(&standard, &stack);
		pthread_attr_destroy(&standard);
	}
	return can_map(RESERVED + threads * stack, PROT_NONE) &&
		can_map(WRITABLE + threads * stack, PROT_READ | PROT_WRITE);
}

/*
 * Threads of an address space that is limited share two arenas of malloc, which take 64 MiB each and may be one per
 * thread.
 */
static void save_address_space(void) {
	struct rlimit space;
#ifdef M_ARENA_MAX
	if (getrlimit(RLIMIT_AS, &space) == 0 && space.rlim_cur != RLIM_INFINITY && !getenv("MALLOC_ARENA_MAX"))
		mallopt(M_ARENA_MAX, 2);
#else
	(void)space;
#endif
}

static void *wait_for_all(void *lock) {
	pthread_mutex_lock(lock);
	pthread_mutex_unlock(lock);
	return NULL;
}

typedef int creator(pthread_t *, const pthread_attr_t *, void *(*)(void *), void *);

/* The C library's, as pthread_create is ours here. */
static creator *real_create(void) {
	static creator *found;
	if (!found) found = (creator *)dlsym(RTLD_DEFAULT, "pthread_create");
	return found;
}

/* Whether that many threads can be at once: the limits of users, control groups and the kernel all show. */
static int enough_threads(int n) {
	pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
	pthread_attr_t small;
	pthread_t *all = malloc(n * sizeof *all);
	if (!all || !real_create() || pthread_attr_init(&small) != 0) {
		free(all);
		return 0;
	}
	pthread_attr_setstacksize(&small, PTHREAD_STACK_MIN + (64 << 10));
	int made = 0;
	pthread_mutex_lock(&lock);
	while (made < n && real_create()(&all[made], &small, wait_for_all, &lock) == 0) made++;
	pthread_mutex_unlock(&lock);
	for (int i = 0; i < made; i++) pthread_join(all[i], NULL);
	pthread_attr_destroy(&small);
	free(all);
	return made == n;
}

static int enough_descriptors(void) {
	int fds[PIPES][2], made = 0;
	while (made < PIPES && pipe(fds[made]) == 0) made++;
	for (int i = 0; i < made; i++) close(fds[i][0]), close(fds[i][1]);
	return made == PIPES;
}

static const char *what_is_missing(void) {
	int threads = thread_count();
	save_address_space();
	if (!enough_memory(threads))
		return "address space or memory: about 1.5 GiB and a stack for each thread (see ulimit -v and -d)";
	if (!enough_descriptors()) return "file descriptors (see ulimit -n)";
	if (!enough_threads(threads)) return "threads (see ulimit -u, and the limit on processes of the container)";
	return NULL;
}

/*
 * Go's threads are deaf: they take no signals but those of their own faults. The kernel may give a signal of the
 * process to any thread that does not block it, CPython up to 3.11 overlooks one that was handled on another thread
 * than its main one until something else interrupts the interpreter, and a handler that does not ask for a stack of its
 * own would run on that of a goroutine, which has no room for it.
 *
 * A thread inherits its mask from the one that loads the library; but Go's unblocks signals of profilers and others
 * when it starts, SIGSTKFLT among them, which nobody uses. A thread that sends itself that one first meets it right
 * then, and the handler's return blocks them again.
 */
static void deafen(int number, siginfo_t *info, void *context) {
	(void)number, (void)info;
	static const int faults[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGSYS, SIGABRT};
	sigset_t *mask = &((ucontext_t *)context)->uc_sigmask;
	for (int s = 1; s < NSIG; s++) sigaddset(mask, s);
	for (size_t i = 0; i < sizeof faults / sizeof *faults; i++) sigdelset(mask, faults[i]);
}

static void prepare_deafening(void) {
	struct sigaction ours = {.sa_sigaction = deafen, .sa_flags = SA_SIGINFO | SA_ONSTACK | SA_RESTART};
	sigaction(SIGSTKFLT, &ours, NULL);
}

typedef struct { void *(*run)(void *), *with; } beginning;

static void *begin(void *arg) {
	beginning b = *(beginning *)arg;
	free(arg);
	struct sigaction now;
	if (sigaction(SIGSTKFLT, NULL, &now) == 0 && now.sa_sigaction == deafen) pthread_kill(pthread_self(), SIGSTKFLT);
	return b.run(b.with);
}

/*
 * What Go calls to make a thread, as the linker finds it first; Go ends the process when it fails. Where Go may not
 * start, its first thread is only said to have been made. Later ones are waited for.
 */
__attribute__((visibility("hidden"))) int pthread_create(pthread_t *thread, const pthread_attr_t *attr,
	void *(*run)(void *), void *with) {
	if (missing) return 0;
	for (;;) {
		int failed = EAGAIN;
		beginning *b = malloc(sizeof *b);
		if (b) {
			*b = (beginning){run, with};
			failed = real_create()(thread, attr, begin, b);
			if (failed) free(b);
		}
		if (failed != EAGAIN) return failed;
		nanosleep(&(struct timespec){0, 10 * 1000 * 1000}, NULL);
	}
}
#else
static const char *what_is_missing(void) { return NULL; }
static void prepare_deafening(void) {}
#endif

int start_error(void) {
	if (!missing) return 0;
	PyErr_Format(PyExc_ImportError, "mlx_go: the process may not have enough %s", missing);
	return -1;
}

/* ---- the environment ---- */

/*
 * asyncpreemptoff: no signals between threads, for which a handler of SIGURG would be called. Go stops at calls
 * instead, of which no loop of ours is free for long; kernels are C. gcshrinkstackoff: see meet_go.
 */
static char settings[] = "GODEBUG=asyncpreemptoff=1,gcshrinkstackoff=1";
static const char *const variables[] = {"GODEBUG=", "GOGC=", "GOMAXPROCS=", "GOMEMLIMIT=", "GOTRACEBACK="};

/* Places of the environment that read otherwise until Go has read it. */
enum { HIDDEN = 16 };
static struct { char **place, *text; } hidden[HIDDEN];
static int hidden_count = 0;

static void hide(char **place) {
	if (hidden_count == HIDDEN) return;
	hidden[hidden_count].place = place;
	hidden[hidden_count++].text = *place;
	*place = settings;
}

static int for_go(const char *text) {
	for (size_t i = 0; i < sizeof variables / sizeof *variables; i++)
		if (strncmp(text, variables[i], strlen(variables[i])) == 0) return 1;
	return 0;
}

/* Go reads the environment that the process started with, behind argv, which os.environ leaves as it is. */
static void hide_variables(char **environment) {
	char **last = NULL;
	for (char **place = environment; *place; last = place++)
		if (for_go(*place)) hide(place);
	if (!hidden_count && last) hide(last); /* any place will do for the settings */
}

/* ---- signals ---- */

static sigset_t mask_before;
/* Those for which Go sets handlers of its own. */
static const int handled[] = {SIGPIPE, SIGURG, SIGSEGV, SIGBUS, SIGFPE};
enum { NEEDLESS = 2, HANDLED = sizeof handled / sizeof *handled }; /* the first two are of no use to us */
static struct sigaction handlers_before[HANDLED];

/* Before the initializer with which Go starts its runtime, which has no priority. */
__attribute__((constructor(101))) static void before_go(int argc, char **argv) {
	sigset_t all;
	sigfillset(&all);
	started = pthread_sigmask(SIG_BLOCK, &all, &mask_before) == 0;
	for (int i = 0; i < HANDLED; i++) sigaction(handled[i], NULL, &handlers_before[i]);
#if defined(__GLIBC__) || defined(__APPLE__) /* others call constructors without arguments */
	if (argv) hide_variables(argv + argc + 1);
#else
	(void)argc, (void)argv;
#endif
	missing = what_is_missing();
	if (!missing) prepare_deafening();
}

void loaded(void) {
	if (started) pthread_sigmask(SIG_SETMASK, &mask_before, NULL);
	if (missing) after_go();
}

void after_go(void) {
	if (!started) return;
	started = 0;
	for (int i = 0; i < hidden_count; i++)
		if (*hidden[i].place == settings) *hidden[i].place = hidden[i].text;
	for (int i = 0; i < (missing ? HANDLED : NEEDLESS); i++) {
		struct sigaction *before = &handlers_before[i];
		if (before->sa_handler != SIG_DFL && before->sa_handler != SIG_IGN) before->sa_flags |= SA_ONSTACK;
		sigaction(handled[i], before, NULL);
	}
}

PER_THREAD int met_go = 0;
int meetings = 1;

/*
 * The first crossing of a thread gives it a goroutine, and Go unblocks some signals for it. The goroutine's stack, on
 * which handlers without SA_ONSTACK would run, grows to hold a handler and keeps that room.
 */
void meet_go(void) {
	sigset_t mask;
	int known = pthread_sigmask(SIG_BLOCK, NULL, &mask) == 0;
	int first = met_go == 0;
	met_go = meetings;
	if (first) goMeet();
	settle_thread();
	if (known) pthread_sigmask(SIG_SETMASK, &mask, NULL);
}
