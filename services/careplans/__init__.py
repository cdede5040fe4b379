"""What is to be reached with a patient and who does what for it; the medicines before and after a stay; how somebody wants
to be met.
"""
