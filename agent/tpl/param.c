#include "tpl/param.h"

#include <string.h>

#include "go/format.h"
#include "go/moment_object.h"
#include "go/semver.h"
#include "go/typed.h"
#include "tpl/func.h"

static const char *const certificate_fields[] = {"Cert", "Key", NULL};
const struct go_class tpl_class_certificate = {.base.name = "sprig.certificate", .fields = certificate_fields};

static const struct {
    const char *name;
    uint8_t kind, type;
    bool nilable;
    const struct go_class *class; /* of an object */
} types[128] = {
    ['s'] = {"string", VAL_STRING, VAL_T_NATURAL, false, NULL},
    ['i'] = {"int", VAL_INT, VAL_T_NATURAL, false, NULL},
    ['b'] = {"bool", VAL_BOOL, VAL_T_NATURAL, false, NULL},
    ['f'] = {"float64", VAL_FLOAT, VAL_T_NATURAL, false, NULL},
    ['a'] = {"interface {}", VAL_NULL, VAL_T_NATURAL, true, NULL},
    ['L'] = {"[]string", VAL_LIST, GO_T_STRINGS, true, NULL},
    ['A'] = {"[]interface {}", VAL_LIST, VAL_T_NATURAL, true, NULL},
    ['M'] = {"map[string]interface {}", VAL_MAP, VAL_T_NATURAL, true, NULL},
    ['D'] = {"map[string]interface {}", VAL_MAP, VAL_T_NATURAL, true, NULL},
    ['T'] = {"time.Time", VAL_OPAQUE, VAL_T_NATURAL, false, &go_class_time},
    ['V'] = {"*semver.Version", VAL_OPAQUE, VAL_T_NATURAL, true, &go_class_semver},
    ['O'] = {"func(*mergo.Config)", VAL_OPAQUE, VAL_T_NATURAL, true, NULL},
    ['C'] = {"sprig.certificate", VAL_RECORD, VAL_T_NATURAL, false, &tpl_class_certificate},
    ['d'] = {"time.Duration", VAL_INT, GO_T_DURATION, false, NULL},
    ['u'] = {"uint32", VAL_UINT, GO_T_UINT32, false, NULL},
    ['v'] = {"reflect.Value", VAL_MISSING, VAL_T_NATURAL, true, NULL},
};

const char *param_type_name(char letter)
{
    return types[letter & 0x7F].name;
}

bool param_zero(char letter, struct val *ret)
{
    if (!types[letter & 0x7F].nilable)
        return false;
    *ret = (struct val){.kind = types[letter & 0x7F].kind, .type = types[letter & 0x7F].type};
    if (ret->kind == VAL_OPAQUE)
        ret->opaque.class = (const struct val_class *)types[letter & 0x7F].class;
    return true;
}

const char *param_static_type(const struct val *v, bool boxed)
{
    return boxed || v->kind == VAL_NULL ? "interface {}" : format_type_name(v);
}

/* Objects and structs are of one class. */
static bool is_of_class(const struct val *v, const struct go_class *class)
{
    return (v->kind != VAL_OPAQUE && v->kind != VAL_RECORD) || go_class_of(v) == class;
}

int param_argument(struct val *v, char letter, struct err *err)
{
    if (letter == 'v' || (letter == 'a' && v->kind != VAL_MISSING))
        return 0;
    if (v->kind == VAL_MISSING) {
        if (param_zero(letter, v))
            return 0;
        return err_set(err, ERR_INPUT, "invalid value; expected %s", param_type_name(letter));
    }
    if (v->kind == types[letter & 0x7F].kind && v->type == types[letter & 0x7F].type &&
        is_of_class(v, types[letter & 0x7F].class))
        return 0;
    return err_set(err, ERR_INPUT, "wrong type for value; expected %s; got %s", param_type_name(letter),
                   param_static_type(v, false));
}

struct params params_of(const char *letters)
{
    size_t len = strlen(letters);
    bool variadic = len > 0 && letters[len - 1] == '*';

    return (struct params){letters, (unsigned)(variadic ? len - 2 : len), variadic};
}

char params_letter(const struct params *params, size_t i)
{
    if (i < params->fixed)
        return params->letters[i];
    return params->variadic ? params->letters[params->fixed] : 'v';
}
