(component
  (import "maro:plugin/types@0.2.0" (instance))
  (import "wasi:clocks/wall-clock@0.2.6" (instance))
  (component $inner (core module (func (export "f") (result i32) i32.const 7)) (core instance (instantiate 0)))
  (instance (instantiate $inner))
  (core module $m (memory 1) (table 3 funcref) (func (export "run") (param i32 i32 i32 i32) (result i32) unreachable))
  (core instance $i (instantiate $m))
  (type $record (record (field "a" string) (field "b" (list u8)))))
