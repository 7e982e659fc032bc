/* tabgrad COMMAND ...: which command, which options, and the one line on standard error where something is
 * wrong. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli.h"

/* ---- the tables: all that can be said on the command line ------------------------------------------------
 */

enum { TRAIN = 1, EVALUATE = 2, PREDICT = 4, SUMMARY = 8, GRADCHECK = 16, RUNS = 31, DATA = 32 };

static const struct command {
    const char *name, *arguments;
    unsigned bit;
    tg_status (*run)(const cli_options *options, tg_error *err);
    const char *about;
} commands[] = {
    {"train", "RECIPE|CHECKPOINT", TRAIN, cli_train, "train a recipe, or go on with a checkpoint"},
    {"evaluate", "CHECKPOINT", EVALUATE, cli_evaluate, "loss, accuracy and confusion matrix on the test set"},
    {"predict", "CHECKPOINT FILE", PREDICT, cli_predict,
     "classes of the samples in a file, a folder or an archive"},
    {"summary", "RECIPE|CHECKPOINT", SUMMARY, cli_summary,
     "layers, memory, ranges of the weights; with --test, dead units"},
    {"gradcheck", "RECIPE", GRADCHECK, cli_gradcheck,
     "compare gradients with central differences, in double"},
    {"data", "PATH...", DATA, cli_data, "what is understood of files, folders and archives"},
};

typedef enum option_type { FLAG, TEXT, NUMBER } option_type;

static const struct option {
    const char *name, *value;
    option_type type;
    size_t offset;
    uint64_t min, max;
    unsigned commands;
    const char *about;
} options_table[] = {
    {"--train", "PATH[,LABELS]", TEXT, offsetof(cli_options, train), 0, 0, TRAIN | GRADCHECK,
     "files, a folder or an archive to train on instead of the recipe's dataset"},
    {"--test", "PATH[,LABELS]", TEXT, offsetof(cli_options, test), 0, 0, TRAIN | EVALUATE | SUMMARY,
     "the same to test on"},
    {"--read", "JSON", TEXT, offsetof(cli_options, read), 0, 0, RUNS | DATA,
     "how files are read, such as {\"size\": [32, 32], \"color\": \"gray\"}"},
    {"--epochs", "N", NUMBER, offsetof(cli_options, epochs), 1, 1 << 20, TRAIN,
     "train until N epochs are done"},
    {"--steps", "N", NUMBER, offsetof(cli_options, steps), 1, UINT32_MAX, TRAIN, "stop after N more steps"},
    {"--seed", "N", NUMBER, offsetof(cli_options, seed), 0, 9007199254740991, TRAIN | SUMMARY | GRADCHECK,
     "instead of the recipe's seed"},
    {"--limit", "N", NUMBER, offsetof(cli_options, limit), 1, UINT32_MAX,
     EVALUATE | PREDICT | SUMMARY | GRADCHECK,
     "only the first N samples; gradcheck: N parameters of every tensor"},
    {"--threads", "N", NUMBER, offsetof(cli_options, threads), 1, 64, RUNS, "default: one for every core"},
    {"--precision", "exact|fast", TEXT, offsetof(cli_options, precision), 0, 0, TRAIN | EVALUATE | PREDICT,
     "fast: fused multiplications and additions, no longer the same bits everywhere"},
    {"--out", "FILE", TEXT, offsetof(cli_options, out), 0, 0, TRAIN,
     "save a checkpoint after every epoch, at the end and on Ctrl-C"},
    {"--weights-only", NULL, FLAG, offsetof(cli_options, weights_only), 0, 0, TRAIN,
     "leave out of FILE what only training needs"},
    {"--json", NULL, FLAG, offsetof(cli_options, json), 0, 0, RUNS | DATA, "print one JSON object a line"},
};

enum {
    COMMANDS = sizeof commands / sizeof *commands,
    OPTIONS = sizeof options_table / sizeof *options_table
};

static void print_help(void) {
    printf("tabgrad trains small neural networks, with the same bits everywhere.\n\n");
    for (size_t i = 0; i < COMMANDS; i++)
        printf("  tabgrad %-9s %-18s %s\n", commands[i].name, commands[i].arguments, commands[i].about);
    printf("\n");
    for (size_t i = 0; i < OPTIONS; i++) {
        char left[40];
        snprintf(left, sizeof left, "%s %s", options_table[i].name,
                 options_table[i].value ? options_table[i].value : "");
        printf("  %-24s %s (", left, options_table[i].about);
        for (size_t j = 0, listed = 0; j < COMMANDS; j++)
            if (options_table[i].commands & commands[j].bit)
                printf("%s%s", listed++ ? ", " : "", commands[j].name);
        printf(")\n");
    }
    printf("\nA recipe is a JSON file; recipes/ has some. Exit status 0, or 2 with one line that says what "
           "is wrong.\n");
}

/* ---- errors ------------------------------------------------------------------------------------------- */

tg_status cli_fail(tg_error *err, tg_status status, const char *where, const char *format, ...) {
    *err = (tg_error){.status = status};
    snprintf(err->where, sizeof err->where, "%s", where ? where : "");
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(err->what, sizeof err->what, format, arguments);
    va_end(arguments);
    return status;
}

tg_status cli_fail_in(tg_error *err, const char *where) {
    size_t length = strlen(where);
    bool there =
        strncmp(err->where, where, length) == 0 && (!err->where[length] || err->where[length] == ':');
    if (there) return err->status; /* the library knows the names of checkpoints and data files by itself */
    char joined[2 * sizeof err->where + sizeof ": "];
    snprintf(joined, sizeof joined, "%.159s%s%s", where, err->where[0] ? ": " : "", err->where);
    memcpy(err->where, joined, sizeof err->where - 1); /* its last byte stays NUL */
    return err->status;
}

/* ---- reading the arguments -------------------------------------------------------------------------------
 */

static tg_status read_value(const struct option *option, const char *text, cli_options *out, tg_error *err) {
    void *field = (char *)out + option->offset;
    if (option->type == TEXT) {
        if (!*text) return cli_fail(err, TG_E_ARGUMENT, option->name, "needs %s after it", option->value);
        *(const char **)field = text;
        return TG_OK;
    }
    char *end;
    errno = 0;
    unsigned long long value = strtoull(text, &end, 10);
    bool whole = text[0] >= '0' && text[0] <= '9' && !*end && errno == 0;
    if (!whole || value < option->min || value > option->max)
        return cli_fail(err, TG_E_ARGUMENT, option->name,
                        "must be a whole number from %llu to %llu, not \"%.40s\"",
                        (unsigned long long)option->min, (unsigned long long)option->max, text);
    *(cli_number *)field = (cli_number){true, value};
    return TG_OK;
}

/* "--name value" or "--name=value" at argv[*at]. */
static tg_status read_option(const struct command *command, char **argv, int *at, cli_options *out,
                             tg_error *err) {
    const char *argument = argv[*at], *equals = strchr(argument, '=');
    size_t length = equals ? (size_t)(equals - argument) : strlen(argument);
    const struct option *option = NULL;
    for (size_t i = 0; i < OPTIONS && !option; i++)
        if (strlen(options_table[i].name) == length && !strncmp(options_table[i].name, argument, length))
            option = &options_table[i];
    if (!option || !(option->commands & command->bit))
        return cli_fail(err, TG_E_ARGUMENT, argument, "is no option of %s; tabgrad --help lists them",
                        command->name);
    if (option->type == FLAG) {
        if (equals) return cli_fail(err, TG_E_ARGUMENT, argument, "takes no value");
        *(bool *)((char *)out + option->offset) = true;
        return TG_OK;
    }
    const char *value = equals ? equals + 1 : argv[*at + 1];
    if (!value) return cli_fail(err, TG_E_ARGUMENT, option->name, "needs %s after it", option->value);
    if (!equals) ++*at;
    return read_value(option, value, out, err);
}

static tg_status read_arguments(char **argv, const struct command **command, cli_options *out,
                                tg_error *err) {
    if (!argv[1]) return cli_fail(err, TG_E_ARGUMENT, NULL, "needs a command; tabgrad --help lists them");
    *command = NULL;
    for (size_t i = 0; i < COMMANDS && !*command; i++)
        if (!strcmp(argv[1], commands[i].name)) *command = &commands[i];
    if (!*command)
        return cli_fail(err, TG_E_ARGUMENT, NULL, "there is no command \"%.60s\"; tabgrad --help lists them",
                        argv[1]);
    const char **positional[] = {&out->input, (*command)->bit == PREDICT ? &out->file : NULL};
    size_t count = 0, wanted = positional[1] ? 2 : 1;
    bool any_number = (*command)->bit == DATA;
    out->paths = argv + 2; /* collected in place: what was read is behind */
    for (int i = 2; argv[i]; i++) {
        if (argv[i][0] == '-' && argv[i][1]) {
            if (read_option(*command, argv, &i, out, err) != TG_OK) return err->status;
        } else if (any_number) {
            out->paths[count++] = argv[i];
        } else if (count == wanted) {
            return cli_fail(err, TG_E_ARGUMENT, argv[i], "is one argument too many; %s takes %s",
                            (*command)->name, (*command)->arguments);
        } else {
            *positional[count++] = argv[i];
        }
    }
    if (count < wanted)
        return cli_fail(err, TG_E_ARGUMENT, NULL, "%s needs %s", (*command)->name, (*command)->arguments);
    if (any_number) out->paths[count] = NULL;
    return TG_OK;
}

static bool asks_for_help(char **argv) {
    for (char **argument = argv + 1; *argument; argument++)
        if (!strcmp(*argument, "--help") || !strcmp(*argument, "-h")) return true;
    return argv[1] && !strcmp(argv[1], "help");
}

/* One line, whatever a file's name holds. */
static void print_error(const tg_error *err) {
    char line[sizeof err->where + sizeof err->what + 8];
    snprintf(line, sizeof line, "%s%s%s", err->where, err->where[0] ? ": " : "", err->what);
    for (char *c = line; *c; c++)
        if ((unsigned char)*c < ' ') *c = '?';
    fprintf(stderr, "tabgrad: %s\n", line);
}

int main(int argc, char **argv) {
    (void)argc;
    if (asks_for_help(argv)) {
        print_help();
        return 0;
    }
    tg_error err = {0};
    const struct command *command = NULL;
    cli_options options = {.argv = argv};
    tg_status status = read_arguments(argv, &command, &options, &err);
    if (status == TG_OK) status = command->run(&options, &err);
    if ((fflush(stdout) != 0 || ferror(stdout)) && status == TG_OK)
        status = cli_fail(&err, TG_E_ARGUMENT, "standard output", "cannot be written: %s", strerror(errno));
    if (status == TG_OK) return 0;
    print_error(&err);
    return 2;
}
