from tests.integration.test_extract_sandbox import *
def test_dbg(sandbox, world):
    read = Extraction(sandbox)
    print(differences(world, read))
    for name in ["issues","mboms", "parts","run_steps"]:
        e=CATALOG.entities[name]
        for child in e.children:
            rows=expected_children(world,e)[child.table]; cols=(child.owner_column,*child.columns)
            f=found_rows(read.tables,child.table,cols)
            for a,b in zip(sorted(rows,key=repr),sorted(f,key=repr)):
                if repr(a)!=repr(b):
                    print(child.table,[ (c.name,x,y) for c,x,y in zip(cols,a,b) if repr(x)!=repr(y)]); break
