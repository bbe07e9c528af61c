"""What others read: graded notebooks, pages of feedback, the class report, the files for Canvas and Moodle."""
