/* xml_frames.h - elements in the order of a document become JSON, as they come.
 *
 * A frame is an open element. Members are written at once; what repeats is one array, because
 * elements of one name stand together in FHIR. Only ids and extensions of primitives ("_given")
 * wait beside their object until the run of their element is over. Names must outlive the frames.
 */
#ifndef FHIR_XML_FRAMES_H
#define FHIR_XML_FRAMES_H

#include "fhir/xml_int.h"

enum frame_kind {
    FRAME_OBJECT,    /* a resource, a complex type */
    FRAME_PRIMITIVE, /* its children are its extensions */
    FRAME_HOLDER,    /* of one resource: contained, entry.resource … */
};

/* Children of one name in a row: one member. */
struct frame_run {
    const struct def_element *e; /* NULL: none yet */
    const struct def_type *type;
    struct str name;
    size_t n;        /* children so far */
    size_t begin;    /* where the member starts in the frame's `to` */
    size_t n_extras; /* places of the "_" array that are written */
    bool was_first;  /* the member is the object's first */
    bool has_value;  /* of a primitive: some child has one */
};

struct frame {
    enum frame_kind kind;
    const struct def_type *type;
    struct str name; /* for the place */
    ptrdiff_t index;
    struct sb *to; /* where its JSON goes */
    bool is_open;  /* its '{' is written; a primitive's only when it has to be */
    bool has_members;
    bool has_value; /* of a primitive */
    struct frame_run run;
    struct sb extras; /* what the "_" member of the run will be */
};

struct frames {
    struct frame v[XML_DEPTH_MAX];
    size_t n;
    struct sb *out;
    struct str at; /* a child or attribute that a problem is about, or empty */
};

/* Attributes of an element; .p NULL: absent. */
struct frame_attributes {
    struct str id, url, value;
};

void frames_done(struct frames *f);

/* An element begins. NULL, or what does not hold for it. *ret_narrative: it is the <div> of a
 * narrative; then no frame opens, and frames_narrative takes what it is as a whole. */
const char *frames_open(struct frames *f, struct str name, const struct frame_attributes *given,
                        bool *ret_narrative);
const char *frames_close(struct frames *f);
void frames_narrative(struct frames *f, struct str text);

/* FHIRPath of the innermost element, and of what the last problem is about. */
void frames_place(const struct frames *f, char to[static XML_PLACE_MAX]);

#endif
