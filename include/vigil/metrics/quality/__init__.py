"""What goes in: is it whole?"""
