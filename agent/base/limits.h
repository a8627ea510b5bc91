/*
 * limits: every maximum of the programs, each with its reason. A limit that nobody can name is a bug; so is one without a test.
 */
#ifndef BASE_LIMITS_H
#define BASE_LIMITS_H

#define KIB(n) ((size_t)(n)*1024)
#define MIB(n) ((size_t)(n)*1024 * 1024)

/* Readers: a Vault reply of 8 MiB is eight times the largest KV v2 secret (1 MiB by default). */
#define LIMIT_REPLY_BYTES        MIB(8)
#define LIMIT_REPLY_HEADER_BYTES KIB(64)
/* A reply's tree costs about four times its text. */
#define LIMIT_REPLY_TREE_BYTES MIB(32)
/* Nesting of JSON, YAML and HCL: a recursive reader's stack; real files stay under 10. */
#define LIMIT_DEPTH 64
/* Members of all objects and lists of one document together: bounds time and memory of hostile replies. */
#define LIMIT_MEMBERS 200000
/* Anchors of one YAML document: looked up one by one. */
#define LIMIT_YAML_ANCHORS 256
/* A configuration file: template contents included, ConfigMaps end at 1 MiB. */
#define LIMIT_CONFIG_BYTES      MIB(4)
#define LIMIT_CONFIG_TREE_BYTES MIB(32)
/* Files of all -config directories together: a ConfigMap holds a handful. */
#define LIMIT_CONFIG_FILES 256
/* Names of any kind in one -config directory. */
#define LIMIT_CONFIG_FOLDER 4096
/* -config flags on one command line. */
#define LIMIT_CONFIG_FLAGS 64
/* Problems listed of one configuration: nobody reads more. */
#define LIMIT_PROBLEMS       200
#define LIMIT_PROBLEMS_BYTES MIB(1)
/* Templates and sinks of one configuration: a pod has a few dozen secrets, an agent of a whole machine some thousand. */
#define LIMIT_TEMPLATES 16384
/* Blocks ampule.atomic_group. */
#define LIMIT_ATOMIC_GROUPS 64

/* Listeners of an agent. */
#define LIMIT_LISTENERS 16

/* Credential files: a service-account token is about 1.2 KiB, a JWT with many groups under 16. */
#define LIMIT_TOKEN_BYTES KIB(64)

/* What is asked of a cloud, escaped (STS takes tokens of 20,000 bytes), and what it answers: a few KiB. Requests of one login:
 * the longest way has six. */
#define LIMIT_ASK_BYTES  KIB(256)
#define LIMIT_TOLD_BYTES KIB(64)
/* A line of OpenSSH: its own limit for keys and certificates is 256 KiB. */
#define LIMIT_SSH_CERT_BYTES KIB(256)
#define LIMIT_LOGIN_STEPS    16

/* Profile files of a cloud's tools: some hundred accounts. */
#define LIMIT_PROFILE_BYTES MIB(1)

/* /etc/passwd and /etc/group: thousands of users in the largest images. */
#define LIMIT_PASSWD_BYTES MIB(1)

/* Secrets: a path and its query (servers refuse request lines over a few KiB), parameters of one query. */
#define LIMIT_PATH_BYTES   2048
#define LIMIT_QUERY_PARAMS 32
/* Secrets wanted by one process: the originals warn at 128, reports speak of 10,000; each costs a timer, 3 KiB, and at least 4
 * KiB of locked memory. */
#define LIMIT_STORE_DEPS 32768
/* Addresses that `sockaddr` chooses from: a pod has two or three, a node one for each of its pods. */
#define LIMIT_INTERFACES 512
/* What an init agent leaves to the sidecar: one large answer, or dozens of ordinary ones; it lies in a small tmpfs. */
#define LIMIT_HANDOVER_BYTES MIB(8)
/* Answers of the mount table that are remembered: one that is needed and not there any more is asked for again. */
#define LIMIT_MOUNTS 256
/* Nodes of a cluster that redirects are followed to: clusters have at most nine. One more takes the oldest one's place. */
#define LIMIT_REDIRECT_HOSTS 16
/* Requests per second of the whole process, and how many may go at once after a pause. */
#define LIMIT_REQUEST_RATE  10
#define LIMIT_REQUEST_BURST 20
/* Reads of secrets that are handed to libcurl together: 100 KiB of buffers each, more streams than most servers serve at once. */
#define LIMIT_REQUESTS_AT_ONCE 32

/* Templates: source, output, and what one evaluation may take. */
#define LIMIT_TEMPLATE_BYTES MIB(1)
#define LIMIT_OUTPUT_BYTES   MIB(16)
/* Code of one template: up to 300 bytes an action, in tables that double. Only a source of a MiB that is all shortest actions has
 * more. */
#define LIMIT_TEMPLATE_CODE_BYTES MIB(64)
/* Names that are looked up one by one while a template is parsed: `define`s, and variables visible at one place. */
#define LIMIT_TEMPLATE_UNITS     4096
#define LIMIT_TEMPLATE_VARIABLES 4096
/* Nested parentheses and template calls: Go's numbers, since its messages name them. */
#define LIMIT_TEMPLATE_PARENTHESES 10000
#define LIMIT_TEMPLATE_DEPTH       100000
/* Templates run by executeTemplate one in another: each takes a piece of the machine's own stack. */
#define LIMIT_TEMPLATE_INNER 100
/* One execution: temporary values, frames of template calls, and ops (about 5 ns each). */
#define LIMIT_TEMPLATE_MEMORY      MIB(64)
#define LIMIT_TEMPLATE_STACK_BYTES MIB(64)
#define LIMIT_TEMPLATE_STEPS       20000000
/* Keys that a template may put into one map: each new one moves those behind it. */
#define LIMIT_TEMPLATE_KEYS 16384
/* Nesting of a printed value: templates can build lists of lists without end, and printing recurses. */
#define LIMIT_PRINT_DEPTH 1000
/* Numbers that one call of `until` or `seq` makes: 48 bytes each. */
#define LIMIT_SEQUENCE 1000000
/*
 * What keys, certificates and slow hashes of one execution may take, by estimate, since they hold the agent up: two RSA keys of
 * 4096 bits, or 13 certificates with new RSA keys, or 40 lines of htpasswd, or 11 derived passwords. What does not fit any more
 * is refused before it begins.
 */
#define LIMIT_TEMPLATE_CRYPTO_MS 2000
/* RSA keys that are read: signing with more takes seconds, and nobody has them. */
#define LIMIT_RSA_BITS 8192
/* A certificate that is made: thousands of names. */
#define LIMIT_CERT_BYTES KIB(256)
/* scrypt's table, as sprig's parameters make it (32 MiB), and a little more. */
#define LIMIT_SCRYPT_BYTES MIB(33)
/* Regular expressions: a pattern, its instructions (16 bytes each; counted repetitions are written out), its tree and classes.
 * Go's maximum is 128 MiB. */
#define LIMIT_REGEX_PATTERN_BYTES KIB(32)
#define LIMIT_REGEX_PROGRAM       100000
#define LIMIT_REGEX_TREE_BYTES    MIB(4)
/* One function call: what threads save of groups, and visits of instructions (10 to 15 ns each; each also takes two steps of the
 * execution). */
#define LIMIT_REGEX_MEMORY MIB(16)
#define LIMIT_REGEX_STEPS  8000000
/* Files that one template reads, or writes beside its own: certificates and snippets; each costs a watch, or descriptors. */
#define LIMIT_TEMPLATE_FILES      64
#define LIMIT_TEMPLATE_FILE_BYTES MIB(1)

/* The house HTTP server: Vault refuses bodies over 32 MiB too; headers stay in memory; a connection costs about 20 KiB with TLS.
 */
#define LIMIT_REQUEST_BYTES        MIB(32)
#define LIMIT_REQUEST_HEADER_BYTES KIB(64)
/* Headers that somebody wants to see with every request to the server (-header, VAULT_HEADERS). */
#define LIMIT_EXTRA_HEADERS      16
#define LIMIT_SERVER_CONNECTIONS 512
/* Of applications at one listener of an agent, most of them idle. */
#define LIMIT_LOCAL_CONNECTIONS 2048
/* What is not passed on has no body, or one that nobody reads. */
#define LIMIT_LOCAL_BODY_BYTES KIB(16)
/* For their requests to a server that does not speak HTTP/2. */
#define LIMIT_RELAY_CONNECTIONS 64
/* What goes in pieces: bytes that wait for the slower side, and how few a second our server's peer may take or send without being
 * cut. */
#define LIMIT_STREAM_WINDOW_BYTES  KIB(64)
#define LIMIT_STREAM_SLOWEST_BYTES KIB(16)

/* Admission reviews: an object ends at etcd's 1.5 MiB, an update brings two of them; their trees cost more than their text. */
#define LIMIT_REVIEW_BYTES      MIB(4)
#define LIMIT_REVIEW_TREE_BYTES MIB(8)
/* Members of all its objects and lists: pods have a few hundred, and a container about thirty; each takes a look, and keys are
 * sorted. */
#define LIMIT_REVIEW_MEMBERS 50000
/* Kubernetes' own: names and values of all annotations of one object together. */
#define LIMIT_REVIEW_ANNOTATION_BYTES KIB(256)
/*
 * What is made of one review, or looked at again while it is answered: about 5 ns a byte, and nobody else is answered meanwhile.
 * Ordinary pods take 10 KiB; a template is written into two configurations, those as base64 into the patch; a thousand secrets in
 * folders of their own and ten containers, 12 times their text.
 */
#define LIMIT_REVIEW_EFFORT_BASE   KIB(256)
#define LIMIT_REVIEW_EFFORT_FACTOR 16
#define LIMIT_REVIEW_EFFORT_BYTES  MIB(5)
/* The answer: a patch that the effort allows, in base64, with the names of the review around it. */
#define LIMIT_REVIEW_ANSWER_BYTES MIB(16)
/* Default annotations of the injector: as many as a pod may have (256 KiB), as a tree. */
#define LIMIT_REVIEW_DEFAULTS_TREE_BYTES MIB(4)

/*
 * Reviews up to this size are answered as they come: a pod has a few KiB, of which nothing takes more than some milliseconds.
 * Larger ones take turns; so many of them may wait, besides those that are still being sent.
 */
#define LIMIT_REVIEW_AT_ONCE_BYTES  KIB(32)
#define LIMIT_REVIEWS_WAITING       256
#define LIMIT_REVIEWS_WAITING_BYTES MIB(12)
/* Memory for answers that stays between two reviews: ordinary answers have under 30 KiB. */
#define LIMIT_REVIEW_KEPT_BYTES KIB(256)
/*
 * The injector: API servers keep a few connections each; the rest is for whoever wants to take them all. With TLS each costs 14
 * KiB. Requests that are not whole and answers that nobody reads count together: the largest of them is one review and its
 * answer. Both, and one review's tree and patch, stay below the 128 MiB that the chart gives. Descriptors besides those: under
 * twenty.
 */
#define LIMIT_INJECTOR_CONNECTIONS 2048
#define LIMIT_INJECTOR_HELD_BYTES  MIB(24)
#define LIMIT_INJECTOR_DESCRIPTORS 64
/* A Secret ends at 1 MiB of data, a third more as base64, and is held twice in a change. */
#define LIMIT_SECRET_OBJECT_BYTES MIB(4)
/* CA certificates in one caBundle: ours before, during and after a change, and one of another injector. Past that it is written
 * anew. */
#define LIMIT_BUNDLE_CERTIFICATES 8
/* Names in the injector's certificate: a Service has four or five. */
#define LIMIT_CERTIFICATE_NAMES 32
/* Namespaces that are counted apart: clusters of a few thousand exist; a page of metrics has about 400 bytes of each. */
#define LIMIT_METRIC_NAMESPACES 4096
#define LIMIT_METRICS_BYTES     MIB(4)
/* Admission warnings: the API server cuts one at 256 characters and all together at 4096. */
#define LIMIT_REVIEW_WARNINGS      16
#define LIMIT_REVIEW_WARNING_BYTES 256
/* Kubernetes' own: a name of 63 characters behind a prefix of 253. */
#define LIMIT_ANNOTATION_NAME 320
/* Secrets of one pod: its annotations end at 256 KiB. */
#define LIMIT_REVIEW_SECRETS 1024
/* Logins of one pod: each is a container of its own; their names end container names, of which Kubernetes takes 63 characters. */
#define LIMIT_REVIEW_IDENTITIES    9
#define LIMIT_REVIEW_IDENTITY_NAME 32
/* A pod's own patch on an agent container: its operations, and the length of a path in it. */
#define LIMIT_REVIEW_PATCH_OPERATIONS 1000
#define LIMIT_REVIEW_POINTER          1024

/* ampule explain: a list of 20,000 pods has about 200 MB as JSON; YAML becomes a tree that costs more. Lines of differences:
 * nobody reads more. */
#define LIMIT_EXPLAIN_BYTES       MIB(1024)
#define LIMIT_EXPLAIN_TREE_BYTES  MIB(256)
#define LIMIT_EXPLAIN_SHELLS      8 /* lines of shell within lines of shell */
#define LIMIT_EXPLAIN_DIFFERENCES 50

/* resolv.conf and hosts are a few lines; kubelet writes them, or an image does. */
#define LIMIT_RESOLV_BYTES KIB(64)
#define LIMIT_HOSTS_BYTES  MIB(1)

/* CA certificates: the system's bundle has about 220 KiB; a private key is under 4. */
#define LIMIT_CA_BYTES  MIB(2)
#define LIMIT_KEY_BYTES KIB(64)

/* Folders that are held open while files are written: most configurations have one or two. */
#define LIMIT_HELD_FOLDERS 16
/* Watched files: token, CA, templates' sources and files; each costs a look per event in any of their folders. */
#define LIMIT_WATCHES 4096
/* Different commands that can be started: the launcher keeps each with its environment. */
#define LIMIT_PROGRAMS 1024
/* Agents of one container that a probe asks: one, or two while an image is tried out; names are public within a pod. */
#define LIMIT_BEACONS 64
/* A plugin: its arguments with their zeros, what it prints, how many one template may run. A packet to the launcher holds the
 * arguments. */
#define LIMIT_LAUNCH_BYTES     KIB(32)
#define LIMIT_PLUGIN_BYTES     MIB(1)
#define LIMIT_TEMPLATE_PLUGINS 32
/* Programs running at a time: commands run one after another, so this is the app and those that are not waited for. */
#define LIMIT_CHILDREN 64
/* What a supervised program finds in its environment: one string as long as the kernel takes (MAX_ARG_STRLEN), all of them as
 * much as it takes with the usual stack of 8 MiB. */
#define LIMIT_VARIABLE_BYTES    KIB(128)
#define LIMIT_ENVIRONMENT_BYTES MIB(2)
/* Variables of `ampule-agent exec`, and of a pod's annotations. */
#define LIMIT_EXEC_VARIABLES 256
/* Our own programs: a few megabytes, with what a debugger needs some tens. */
#define LIMIT_PROGRAM_BYTES MIB(256)
/* Numbers that are closed one by one where neither close_range(2) nor /proc is there: a million would take a second. */
#define LIMIT_DESCRIPTORS 16384
/* Processes of one name, without a master, that one signal goes to: their numbers are kept meanwhile. Those that we may not
 * signal do not count. */
#define LIMIT_NAMED_PROCESSES 1024

/* A request's URL: Go's servers refuse request heads over 1 MiB, proxies far less; paths and queries of ours stay under 4 KiB. */
#define LIMIT_URL_BYTES KIB(16)

#endif
