"""The agent: sensors and actuators inside the cluster, one light pod a namespace.

It may import the contract (`kubealive`) and nothing else of ours. This module stays free of imports, since
the load engine's process starts from it and must stay as small as the sockets it drives.
"""
