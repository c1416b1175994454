"""OpenDSR 2.0: requests of controllers for access, portability and erasure. The specification is specification.md of
github.com/opengdpr/OpenDSR.
"""

from identity_graph.opendsr.agreement import Agreement as Agreement
from identity_graph.opendsr.calling import Calling as Calling
from identity_graph.opendsr.desk import Desk as Desk
from identity_graph.opendsr.fulfilling import Fulfilling as Fulfilling
