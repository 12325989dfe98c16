"""Cases of every layer, as data: one module here for each file of cnnspec/layers.

Each module holds
    ACCEPTED    lines `Layer(arguments)  [input] -> [output]`
    REJECTED    lines `Layer(arguments)  [input]  CODE field`, field `-` where the input itself is to blame
    GENERATORS  layer name -> function(rng) -> (arguments by name, input shape), for the comparison with torch
"""
