#include "graph/heap.hpp"
