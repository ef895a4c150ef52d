// A network for one task as one for several: dense layers, convolutions and pools become multi layers, everything else
// is there once for each task.
#pragma once

#include "squall/core/network_spec.hpp"

namespace squall {

// Layers that become multi layers keep their names; the others are called TASK_NAME. Input gets an output TASK and
// TASK_targets for each task (TASK_NAME for any other it has), each with a number of examples of its own. Throws
// ConfigError for layers that several tasks cannot have.
Architecture with_tasks(const Architecture& single, const std::vector<std::string>& tasks,
                        const std::string& data_name = "default", const std::string& targets_name = "targets");

// {"@spec": "F500 F500", "in_shape": 784, "out_shape": 10, "tasks": ["digits", "fashion"]}: network_from_spec() knows
// the key, too.
SpecNetwork task_network_from_spec(const json& network, std::string_view where = "network");

}  // namespace squall
