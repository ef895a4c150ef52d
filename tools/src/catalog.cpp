#include "squall/tools/catalog.hpp"

#include "squall/hooks/hooks.hpp"
#include "squall/io/readers.hpp"
#include "squall/layers/layers.hpp"
#include "squall/training/training.hpp"

namespace squall {

Catalog make_catalog() {
  Catalog catalog;
  register_layers(catalog);
  register_training(catalog);
  register_hooks(catalog);
  register_readers(catalog);
  return catalog;
}

}  // namespace squall
