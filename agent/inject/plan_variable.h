/*
 * plan_variable: ampule.dev/env-NAME: variables that containers get, as files of the agents and a program before the command.
 *
 * The agents render each variable to a file of a tmpfs; a container's command becomes `ampule-agent exec`, which starts it with
 * what the files hold. So a container must say its command: nobody here sees what its image would start.
 */
#ifndef INJECT_PLAN_VARIABLE_H
#define INJECT_PLAN_VARIABLE_H

#include "inject/plan.h"

/* The two volumes, and where they are mounted: the agent's program, and the files. */
#define PLAN_PROGRAM          "ampule-program"
#define PLAN_PROGRAM_PATH     "/ampule/program"
#define PLAN_ENVIRONMENT      "ampule-environment"
#define PLAN_ENVIRONMENT_PATH "/ampule/environment"

/* After plan_secrets(): fills variables, and whose login fetches them. Errors name annotation and container. */
int plan_variables(struct plan *plan, struct arena *arena, struct err *err) MUST_USE;
/* When the rest is known: there is an agent, and every container that gets them says its command. */
int plan_variables_check(const struct plan *plan, struct err *err) MUST_USE;

/* A container's command; NULL when it does not say one. */
const struct val *plan_command(const struct val *container);

#endif
