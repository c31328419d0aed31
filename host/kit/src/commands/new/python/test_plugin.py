import unittest

from maro import preview
from plugin import answer


class Greeting(unittest.TestCase):
    def test_a_name_is_greeted(self):
        self.assertEqual(preview(answer("Ada")), "Hello, Ada!")
        self.assertEqual(preview(answer("")), "Hello, world!")
