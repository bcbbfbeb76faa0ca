// Nothing: the precompiled headers need a target with a source file.
