"""What goes in and comes out: is it like the baseline?"""
