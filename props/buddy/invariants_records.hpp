// invariants_records: the invariants of records that are not pages: zones, CPUs, tasks, the log.
#pragma once
#include "props/buddy/invariants.hpp"

namespace props::buddy {

// ZONE-GEOMETRY: what boot wrote into the zones is what the machine line says.
Broken geometry_broken(const Machine&);

// CONTEXT-LEGAL: CPUs, tasks and the log hold what calls can leave behind.
Broken context_broken(const Machine&);

// For BUDDY-CANONICAL: fields of lists, zones and per-CPU limits that have no meaning.
Broken unused_fields_broken(const Machine&);

}  // namespace props::buddy
