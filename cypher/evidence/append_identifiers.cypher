// New identifiers. The namespace is a label too, so that pictures can tell them apart.
// $rows list<list>: number, namespace, value; in order of number
UNWIND $rows AS row
CREATE (:Identifier:$(row[1]) {number: row[0], key: row[1] + ':' + row[2], namespace: row[1], value: row[2]})
